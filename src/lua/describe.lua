-- A member says what others may want to know of it.
--
-- ARGV  controller, incarnation, facts
-- Answers  OK
though_full()
local home = P .. 'home:' .. ARGV[1]
if redis.call('HGET', home, 'incarnation') == ARGV[2] then redis.call('HSET', home, 'facts', ARGV[3]) end
return {'OK'}
