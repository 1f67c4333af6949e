-- Claims the first items of the queue that a member can take.
--
-- ARGV  controller, epoch, how many at the most, number of this claim, repeated (1: its answer was lost), then (lane, room)...
-- Answers  OK now ms-until-next-due(-1: none) (packed, payload, mac)... | FENCED
-- Keeps: one that found nothing is woken by the next item;
--        a repeated claim answers what it claimed the first time; a claim that arrives after its repetition does nothing;
--        an item goes to one member only; order is priority, then age, over all offered lanes.
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
if mending() then
  redis.call('SET', P .. 'waiting', '', 'NX')
  return {'OK', int(now), int(math.max(1, redis.call('PTTL', P .. 'mending')))}
end
local delayed = P .. 'delayed'
local next_due = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
if next_due[2] and tonumber(next_due[2]) <= now then
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', int(now), 'LIMIT', 0, 200)) do
    redis.call('ZREM', delayed, id)
    local v = load(id)
    local blocked = v and v[STATE] == 'Q' and place(id, v)
    if blocked and blocked ~= v[BLOCKED] then
      save(id, v, BLOCKED, blocked)
      event(id, v)
    end
  end
  next_due = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  wake()
end
local answer = {'OK', int(now), next_due[2] and int(math.max(0, next_due[2] - now)) or '-1'}
local heads, room = {}, {}
for i = 6, #ARGV, 2 do
  local lane, n = ARGV[i], math.min(tonumber(ARGV[i + 1]), most)
  room[lane] = n
  for _, pinned in ipairs({'', controller}) do
    local key = P .. 'ready:' .. pinned .. ':' .. lane
    local found = redis.call('ZRANGE', key, 0, n - 1, 'WITHSCORES')
    for j = 1, #found, 2 do
      heads[#heads + 1] = {found[j], tonumber(found[j + 1]), key, lane}
    end
  end
end
if #heads > 1 then
  table.sort(heads, function(a, b) return a[2] < b[2] end)
end
local claimed = {claim}
local owned = P .. 'owned:' .. controller .. ':' .. epoch
for _, head in ipairs(heads) do
  if most == 0 then break end
  local id, lane = head[1], head[4]
  if room[lane] > 0 then
    local v = load_whole(id)
    redis.call('ZREM', head[3], id)
    -- Not so when it is missing or could not be read.
    if v and v[STATE] == 'Q' then
      most, room[lane] = most - 1, room[lane] - 1
      redis.call('ZREM', P .. 'queued:' .. v[JOB], id)
      claimed[#claimed + 1] = id
      save(id, v, STATE, 'C', OWNER, controller, EPOCH, epoch, ATTEMPTS, int(v[ATTEMPTS] + 1))
      event(id, v)
      answer[#answer + 1] = pack(id, v)
      answer[#answer + 1] = v[PAYLOAD] or ''
      answer[#answer + 1] = v[MAC] or ''
    end
  end
end
if #claimed > 1 then
  redis.call('SADD', owned, unpack(claimed, 2))
else
  redis.call('SET', P .. 'waiting', '', 'NX')
end
if #claimed > 1 or repeated then
  redis.call('SET', note, table.concat(claimed, ' '))
end
return answer
