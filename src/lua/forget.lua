-- Forgets a controller that is no member any more.
--
-- ARGV  controller
-- Answers  OK | LIVES | NOTFOUND
though_full()
local epoch = redis.call('HGET', P .. 'member:' .. ARGV[1], 'epoch')
if epoch and member(ARGV[1], epoch) then return {'LIVES'} end
redis.call('DEL', P .. 'home:' .. ARGV[1], P .. 'reran:' .. ARGV[1])
return {redis.call('SREM', P .. 'homes', ARGV[1]) == 1 and 'OK' or 'NOTFOUND'}
