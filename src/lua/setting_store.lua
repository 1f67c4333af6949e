-- Stores a setting of the cluster, if it is still the version that it was made from, and tells all.
--
-- ARGV  controller, epoch, path, version it was made from (0: there was none), new version, head, body, the announcement as announce.lua
--       takes it: topic, body, stamp, mac
-- Keeps: a head is one text, its first line the version.
-- Answers  STORED | CONFLICT version (0: there is none) | FENCED
though_full()
if not member(ARGV[1], ARGV[2]) then return {'FENCED'} end
local path = ARGV[3]
local head = redis.call('HGET', P .. 'settings', path)
local present = head and string.match(head, '^%d+') or '0'
if present ~= ARGV[4] then return {'CONFLICT', present} end
redis.call('HSET', P .. 'settings', path, ARGV[6])
redis.call('HSET', P .. 'settings-text', path, ARGV[7])
tell('a', 'f', ARGV[1], 't', ARGV[8], 's', path, 'x', ARGV[5], 'b', ARGV[9], 'p', ARGV[10], 'c', ARGV[11])
return {'STORED'}
