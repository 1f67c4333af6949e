-- Asked by each controller when it meets a Redis that is another process than before, or has gone back: nobody claims, cancels
-- or gives numbers until all members have said what they know, or their leases have ended.
--
-- ARGV  controller, lease ms, which process of Redis this is, then what the controller has seen at the most: seq, event number,
--       queue id; then controllers that were members when it last looked...
-- Answers  OK incident (- if nothing is to be mended) back (1: it lacked what was here) | NEW (there is nothing of the cluster)
though_full()
local lease = tonumber(ARGV[2])
local generation = redis.call('HGET', KEYS[1], 'generation')
if not generation then return {'NEW'} end
local server, back = ARGV[3] .. ' ' .. generation, '0'
local incident = redis.call('HMGET', KEYS[1], 'server', 'incident', 'lost')
local function counter(name)
  return tonumber(redis.call('GET', P .. name) or 0)
end
if counter('seq') < tonumber(ARGV[4]) or counter('eventno') < tonumber(ARGV[5]) then back = '1' end
if incident[1] ~= server or back == '1' then
  -- Nobody knows how far exactly the others had seen them rise. Readers notice the gap and read everything.
  local leap = back == '1' and 1048576 or 0
  redis.call('SET', P .. 'seq', int(math.max(counter('seq'), tonumber(ARGV[4])) + leap))
  redis.call('SET', P .. 'eventno', int(math.max(counter('eventno'), tonumber(ARGV[5])) + leap))
  redis.call('SET', P .. 'ids', int(math.max(counter('ids'), tonumber(ARGV[6])) + 4096 + leap))
  incident[2] = int(now)
  redis.call('HSET', KEYS[1], 'server', server, 'incident', incident[2], 'lastbeat', int(now))
  local mending = P .. 'mending'
  redis.call('DEL', mending)
  for _, who in ipairs(redis.call('ZRANGE', P .. 'members', 0, -1)) do
    redis.call('SADD', mending, string.match(who, '^[^:]*'))
    redis.call('ZADD', P .. 'members', 'GT', int(now + lease), who)
  end
  redis.call('SADD', mending, ARGV[1])
  -- Who joined of late may be unknown here.
  if back == '1' then
    redis.call('SADD', mending, '?')
    redis.call('HSET', KEYS[1], 'lost', incident[2])
  end
  for i = 7, #ARGV do
    redis.call('SADD', mending, ARGV[i])
  end
  redis.call('PEXPIRE', mending, ARGV[2])
end
return {'OK', incident[2] or '-', (back == '1' or incident[3] and incident[3] == incident[2]) and '1' or '0'}
