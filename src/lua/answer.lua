-- Answers a command, once; a second answer sends the first again. Keeps how far the inbox was worked off.
--
-- ARGV  controller, asker, request id, reply, inbox cursor
-- Answers  OK
though_full()
local key = P .. 'done:' .. ARGV[3]
redis.call('SET', key, ARGV[4], 'NX', 'EX', 600)
if redis.call('EXISTS', P .. 'member:' .. ARGV[2]) == 1 then
  redis.call('XADD', P .. 'inbox:' .. ARGV[2], 'MAXLEN', '~', 10000, '*', 'k', 'r', 'r', ARGV[3], 'b', redis.call('GET', key))
end
redis.call('SET', P .. 'cursor:' .. ARGV[1], ARGV[5])
return {'OK'}
