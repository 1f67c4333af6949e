-- Claims the first items of the queue that a member can take.
--
-- ARGV  controller, epoch, how many at the most, number of this claim, repeated (1: its answer was lost),
--       ids to leave to others (a blank before and behind each; ''), how many these are,
--       ids to take first where they can be taken (a blank between them), then (lane, room)...
-- Answers  OK now ms-until-next-due(-1: none) (packed, payload, mac)... | FENCED
-- Keeps: one that found nothing waits, and is roused when something comes that it can take;
--        a repeated claim answers what it claimed the first time; a claim that arrives after its repetition does nothing;
--        what a roused one leaves rouses the next who can take it;
--        an item goes to one member only; order is what the member wants first, then priority, then age, over all offered lanes.
though_full()
local controller, epoch, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not member(controller, epoch) then return {'FENCED'} end
local note, claim, repeated = P .. 'claimed:' .. controller .. ':' .. epoch, ARGV[4], ARGV[5] == '1'
local noted = redis.call('GET', note) or '0'
local last = string.match(noted, '^%d+')
if tonumber(last) >= tonumber(claim) then
  local answer = {'OK', int(now), '0'}
  if repeated and last == claim then
    for id in string.gmatch(noted, ' (%d+)') do
      local v = load_whole(id)
      if v and v[STATE] == 'C' and v[OWNER] == controller and v[EPOCH] == epoch then
        answer[#answer + 1] = pack(id, v)
        answer[#answer + 1] = v[PAYLOAD] or ''
        answer[#answer + 1] = v[MAC] or ''
      end
    end
  end
  return answer
end
local OFFERS = 9
local roused, how = not_roused(controller)

-- As it was offered; with no offers it waits for nothing.
local function wait()
  local lanes, total = '', 0
  for i = OFFERS, #ARGV, 2 do
    lanes, total = lanes .. ARGV[i] .. '\n', total + ARGV[i + 1]
    redis.call('ZADD', P .. 'waiting:' .. ARGV[i], int(-ARGV[i + 1]), controller)
  end
  if total == 0 then return end
  redis.call('ZADD', P .. 'waiting', int(-total), controller)
  redis.call('SET', P .. 'idle:' .. controller, lanes)
end

wait_no_more(controller)
if mending() then
  wait()
  return {'OK', int(now), int(math.max(1, redis.call('PTTL', P .. 'mending')))}
end
local delayed = P .. 'delayed'
local next_due = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if next_due[2] and tonumber(next_due[2]) <= now then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', int(now), 'LIMIT', 0, 200)) do
    redis.call('ZREM', delayed, id)
    local v = load(id)
    if v and v[STATE] == 'Q' and absent(v) then
      drop(id, v)
    else
      local blocked = v and v[STATE] == 'Q' and place(id, v)
      if blocked and blocked ~= v[BLOCKED] then
        save(id, v, BLOCKED, blocked)
        event(id, v)
      end
    end
  end
  next_due = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  wake()
end
local answer = {'OK', int(now), next_due[2] and int(math.max(0, next_due[2] - now)) or '-1'}
local claimed, heads, room = {claim}, {}, {}
local owned = P .. 'owned:' .. controller .. ':' .. epoch
local function take(head)
  local id, lane = head[1], head[4]
  if string.find(ARGV[6], ' ' .. id .. ' ', 1, true) then return end
  local v = load_whole(id)
  redis.call('ZREM', head[3], id)
  -- It is missing or could not be read.
  if not v or v[STATE] ~= 'Q' then return end
  most, room[lane] = most - 1, room[lane] - 1
  claimed[#claimed + 1] = id
  save(id, v, STATE, 'C', OWNER, controller, EPOCH, epoch, ATTEMPTS, int(v[ATTEMPTS] + 1))
  event(id, v)
  answer[#answer + 1] = pack(id, v)
  answer[#answer + 1] = v[PAYLOAD] or ''
  answer[#answer + 1] = v[MAC] or ''
end
for i = OFFERS, #ARGV, 2 do
  room[ARGV[i]] = math.min(tonumber(ARGV[i + 1]), most)
end
for id in string.gmatch(ARGV[8], '%d+') do
  local v = most > 0 and load(id)
  if v and v[STATE] == 'Q' and (v[PINNED] == '' or v[PINNED] == controller) and (room[v[LANE]] or 0) > 0 then
    if v[BLOCKED] == '1' then overtake(id, v) end
    if redis.call('ZSCORE', ready_key(v), id) then take({id, 0, ready_key(v), v[LANE]}) end
  end
end
for i = OFFERS, #ARGV, 2 do
  local lane, n = ARGV[i], room[ARGV[i]]
  for _, pinned in ipairs({'', controller}) do
    local key = P .. 'ready:' .. pinned .. ':' .. lane
    local found = n > 0 and redis.call('ZRANGE', key, 0, n - 1 + ARGV[7], 'WITHSCORES') or {}
    for j = 1, #found, 2 do
      heads[#heads + 1] = {found[j], tonumber(found[j + 1]), key, lane}
    end
  end
end
if #heads > 1 then
  table.sort(heads, function(a, b) return a[2] < b[2] end)
end
for _, head in ipairs(heads) do
  if most > 0 and room[head[4]] > 0 then take(head) end
end
-- Before it waits again, so that it does not rouse itself.
if roused and how == 'n' then
  local pass = #claimed > 1 and pass_on or pass_on_to_all
  pass(roused)
  for i = OFFERS, #ARGV, 2 do
    if ARGV[i] ~= roused then pass(ARGV[i]) end
  end
end
if #claimed > 1 then
  redis.call('SADD', owned, unpack(claimed, 2))
else
  wait()
end
if #claimed > 1 or repeated then
  redis.call('SET', note, table.concat(claimed, ' '))
end
return answer
