-- Stands behind item.lua: how memberships end.

-- Ends a membership: what it had only claimed goes back to its place, what it had started awaits the reaper's decision, and its
-- placeholders end.
local function reap(controller, epoch, why, reaper)
  local key, who = P .. 'owned:' .. controller .. ':' .. epoch, controller .. ':' .. epoch
  local ids = redis.call('SMEMBERS', key)
  redis.call('DEL', key, P .. 'claimed:' .. who)
  redis.call('ZREM', P .. 'members', who)
  local roused = not_roused(controller)
  wait_no_more(controller)
  local waits, begun, moved = 0, 0, {}
  for _, id in ipairs(ids) do
    local v = load(id)
    if v and v[OWNER] == controller and v[EPOCH] == epoch then
      if v[STATE] == 'C' and v[LANE] == STAYS then
        finish(id, v, 'X', WHY, why)
      elseif v[STATE] == 'C' then
        back(id, v, 0, why, who)
        waits = waits + 1
      else
        begun = begun + 1
        if begun <= 20 then moved[begun] = id end
        redis.call('HSET', P .. 'orphan', id, reaper)
        save(id, v, STATE, 'O', REAPER, reaper, WHY, why)
        event(id, v)
      end
    end
  end
  moment('ended', controller, why, int(waits), int(begun), table.concat(moved, ' '))
  if redis.call('HGET', P .. 'member:' .. controller, 'epoch') == epoch then
    redis.call('DEL', P .. 'member:' .. controller)
    redis.call('EXPIRE', P .. 'inbox:' .. controller, 7 * DAY)
    redis.call('EXPIRE', P .. 'cursor:' .. controller, 7 * DAY)
  end
  -- Its placeholders may hold slots; the parked ones go when it is their turn.
  local ready = P .. 'ready:' .. controller .. ':' .. STAYS
  local first = redis.call('ZRANGE', ready, 0, 0)[1]
  while first do
    local v = load(first)
    unindex(first, v)
    finish(first, v, 'X', WHY, why)
    first = redis.call('ZRANGE', ready, 0, 0)[1]
  end
  tell('m')
  if roused then pass_on(roused) end
end

-- Orphans whose reaper has itself gone fall to `reaper`.
local function adopt(reaper)
  if redis.call('EXISTS', P .. 'orphan') == 0 then return end
  local orphans = redis.call('HGETALL', P .. 'orphan')
  for i = 1, #orphans, 2 do
    local id = orphans[i]
    if not redis.call('ZSCORE', P .. 'members', orphans[i + 1]) then
      local v = load(id)
      if v and v[STATE] == 'O' then
        redis.call('HSET', P .. 'orphan', id, reaper)
        save(id, v, REAPER, reaper)
        event(id, v)
      else
        redis.call('HDEL', P .. 'orphan', id)
      end
    end
  end
end

-- Redis, or everybody, was away for a whole lease: nobody had the chance to renew, so nobody is dead yet.
local function was_away(lease, last)
  last = tonumber(last or now)
  redis.call('HSET', KEYS[1], 'lastbeat', int(now))
  if now - last <= lease then return false end
  for _, who in ipairs(redis.call('ZRANGE', P .. 'members', 0, -1)) do
    redis.call('ZADD', P .. 'members', 'GT', int(now + lease), who)
  end
  return true
end
