-- Notes that something was done, or, without a note, that it was not; a controller that has taken it over meanwhile goes on.
--
-- ARGV  controller, what, remember ms, D and the note, or ''
though_full()
local key = P .. 'turn:' .. ARGV[2]
local held = redis.call('GET', key)
local by = held and string.match(held, '^%u+:([^:]*):')
if held and by ~= ARGV[1] then return {'OK'} end
if ARGV[4] == '' then
  redis.call('DEL', key)
else
  redis.call('SET', key, ARGV[4], 'PX', ARGV[3])
end
return {'OK'}
