-- Makes a controller a member, under a new epoch; what its earlier membership held is freed.
--
-- ARGV  controller, incarnation, name, url, version, lease ms, force (1: take over a live membership of the same controller),
--       keycheck, generation to use if there is none yet, number of this attempt to join, which process of Redis this is,
--       the highest epoch it ever had
-- Answers  OK epoch generation now | SCHEMA version | KEY member-name... | TWIN url | LATE (a newer attempt was served)
though_full()
local controller, incarnation, lease = ARGV[1], ARGV[2], tonumber(ARGV[6])
local meta = redis.call('HMGET', KEYS[1], 'schema', 'generation', 'keycheck')
if not meta[1] then
  redis.call('HSET', KEYS[1], 'schema', '2', 'generation', ARGV[9], 'keycheck', ARGV[8],
    'server', ARGV[11] .. ' ' .. ARGV[9])
  -- Epochs go on rising even when Redis was wiped.
  redis.call('SET', P .. 'epoch', int(now))
  meta[2] = ARGV[9]
elseif meta[1] ~= '2' then
  return {'SCHEMA', meta[1]}
elseif meta[3] ~= ARGV[8] then
  local answer = {'KEY'}
  for _, who in ipairs(redis.call('ZRANGE', P .. 'members', 0, 4)) do
    answer[#answer + 1] = redis.call('HGET', P .. 'member:' .. string.match(who, '^[^:]*'), 'name') or who
  end
  return answer
end
local key = P .. 'member:' .. controller
local old = redis.call('HMGET', key, 'incarnation', 'epoch', 'url', 'attempt')
local expiry = old[2] and member(controller, old[2])
if expiry and old[1] ~= incarnation and ARGV[7] == '0' and tonumber(expiry) > now then
  return {'TWIN', old[3]}
end
if old[1] == incarnation and tonumber(old[4]) >= tonumber(ARGV[10]) then return {'LATE'} end
was_away(lease, redis.call('HGET', KEYS[1], 'lastbeat'))
local epoch = int(math.max(tonumber(redis.call('GET', P .. 'epoch') or 0), tonumber(ARGV[12])) + 1)
redis.call('SET', P .. 'epoch', epoch)
local me = controller .. ':' .. epoch
redis.call('ZADD', P .. 'members', int(now + lease), me)
redis.call('HSET', key, 'incarnation', incarnation, 'epoch', epoch, 'name', plain(ARGV[3]), 'url', plain(ARGV[4]), 'version', plain(ARGV[5]),
  'joined', int(now), 'attempt', ARGV[10], 'lease', ARGV[6])
redis.call('PERSIST', P .. 'inbox:' .. controller)
redis.call('PERSIST', P .. 'cursor:' .. controller)
if expiry then
  reap(controller, old[2], 'Its controller ' .. ARGV[3] .. ' was restarted or lost its lease', me)
end
moment('joined', controller, ARGV[5])
if not mending() then adopt(me) end
tell('m')
return {'OK', epoch, meta[2], int(now)}
