-- Puts a command into a controller's inbox, unless it was answered before.
--
-- ARGV  to, from, topic, request id, body, stamp, mac
-- Answers  DONE reply | ASKED | NOTFOUND
though_full()
local done = redis.call('GET', P .. 'done:' .. ARGV[4])
if done then return {'DONE', done} end
if redis.call('EXISTS', P .. 'member:' .. ARGV[1]) == 0 then return {'NOTFOUND'} end
redis.call('XADD', P .. 'inbox:' .. ARGV[1], 'MAXLEN', '~', 10000, '*',
  'k', 'c', 'f', ARGV[2], 't', ARGV[3], 'r', ARGV[4], 'b', ARGV[5], 'p', ARGV[6], 'c', ARGV[7])
return {'ASKED'}
