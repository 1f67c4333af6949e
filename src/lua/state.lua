-- Reads a shared state without its pen.
--
-- ARGV  name of the state, version that the caller knows
-- Answers  version [body, where the version is another than the one known]
local found = redis.call('HMGET', P .. 'state:' .. ARGV[1], 'version', 'body')
local version = found[1] or '0'
if version == ARGV[2] then return {version} end
return {version, found[2] or ''}
