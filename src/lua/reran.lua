-- A build of a controller that is gone runs again.
--
-- ARGV  controller that ran it, item
-- Answers  OK
though_full()
if redis.call('SISMEMBER', P .. 'homes', ARGV[1]) == 1 then redis.call('SADD', P .. 'reran:' .. ARGV[1], ARGV[2]) end
return {'OK'}
