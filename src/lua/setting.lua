-- Reads a setting of the cluster.
--
-- ARGV  path
-- Answers  head, body; nothing when there is none
local head = redis.call('HGET', P .. 'settings', ARGV[1])
if not head then return {} end
return {head, redis.call('HGET', P .. 'settings-text', ARGV[1]) or ''}
