-- Jobs have been renamed or moved: what is kept under their old names follows.
--
-- ARGV  how many jobs, old name and new name of each, then id, payload and seal of items, made for the new name in the format that they had
-- Answers  OK items moved | MENDING
-- Keeps: each item stays in the same place of the queue and in the same hands; no number of a job is given again under its new name.
-- What was triggered under the old name by who had not heard of the new one waits behind what has the new name's slot. If it was
-- claimed by then, two builds of a job that forbids that run at once, and the slot stays with the first.
if mending() then return {'MENDING'} end
though_full()
local jobs, names = tonumber(ARGV[1]), {}
for i = 1, jobs do
  local old, new = plain(ARGV[2 * i]), plain(ARGV[2 * i + 1])
  local last = redis.call('GET', P .. 'number:' .. old)
  if last then
    local key = P .. 'number:' .. new
    redis.call('SET', key, int(math.max(tonumber(redis.call('GET', key) or 0), tonumber(last))))
    redis.call('DEL', P .. 'number:' .. old)
  end
  names[old] = new
end

-- An item that waits in the new name's slot lets one go first that is in somebody's hands.
local function yield(new)
  local holder = redis.call('GET', P .. 'slot:' .. new)
  local h = holder and load(holder)
  if h and h[STATE] ~= 'Q' and h[STATE] ~= 'U' then return false end
  if h and h[STATE] == 'Q' and redis.call('ZREM', ready_key(h), holder) == 1 then
    redis.call('ZADD', P .. 'parked:' .. new, h[SCORE], holder)
    save(holder, h, BLOCKED, '1')
    event(holder, h)
  end
  return true
end

local left, moved = {}, 0
for i = 2 * jobs + 2, #ARGV, 3 do
  local id = ARGV[i]
  local v = load(id)
  local new = v and names[v[JOB]]
  if new and v[STATE] ~= 'U' and redis.call('ZSCORE', P .. 'live', id) then
    local old = v[JOB]
    local held = redis.call('GET', P .. 'slot:' .. old) == id
    if redis.call('ZREM', P .. 'queued:' .. old, id) == 1 then
      redis.call('ZADD', P .. 'queued:' .. new, v[JOBREV], id)
    end
    local parked = redis.call('ZREM', P .. 'parked:' .. old, id) == 1
    if held then left[old] = id end
    local blocked = v[BLOCKED]
    v[JOB] = new
    if v[STATE] == 'Q' and (held or parked) then
      if held then redis.call('ZREM', ready_key(v), id) end
      blocked = place(id, v)
    elseif held and yield(new) then
      redis.call('SET', P .. 'slot:' .. new, id)
    end
    redis.call('HSET', P .. 'item:' .. id, 'payload', ARGV[i + 1], 'mac', ARGV[i + 2])
    save(id, v, BLOCKED, blocked)
    trace(id, '\t' .. JOB .. '=' .. new)
    event(id, v, v[STATE] == 'Q')
    moved = moved + 1
  end
end
for old, id in pairs(left) do
  -- Those that nobody named find a holder.
  vacate(id, {[JOB] = old, [CONCURRENT] = '0'})
end
return {'OK', int(moved)}
