-- Stores a shared state, if the caller has its pen and made it from the version that is there, and tells all; or gives the pen back,
-- or both.
--
-- ARGV  controller, epoch, name of the state, version it was made from, new version ('' to store nothing), body, '1' to give the pen
--       back, the announcement: topic, number, body, stamp, mac
-- Answers  STORED | LOST (the pen is another's, or what is there is not what the caller knows) | FENCED
though_full()
local controller, epoch, name = ARGV[1], ARGV[2], ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
local key = P .. 'state:' .. name
local found = redis.call('HMGET', key, 'pen', 'version')
local version = found[2] or '0'
-- What a call stored whose answer was lost is not stored again.
local again = ARGV[5] ~= '' and version == ARGV[5]
if found[1] ~= controller .. ' ' .. epoch then
  if again and not found[1] and ARGV[7] == '1' then return {'STORED'} end
  return {'LOST'}
end
if not again and version ~= ARGV[4] then return {'LOST'} end
if ARGV[5] ~= '' and not again then
  redis.call('HSET', key, 'version', ARGV[5], 'body', ARGV[6])
  tell('a', 'f', controller, 't', ARGV[8], 's', name, 'x', ARGV[9], 'b', ARGV[10], 'p', ARGV[11], 'c', ARGV[12])
end
if ARGV[7] == '1' then redis.call('HDEL', key, 'pen') end
return {'STORED'}
