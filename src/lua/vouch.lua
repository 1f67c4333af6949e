-- A member has looked in its shared folder for the nonce of a controller that wants to join.
--
-- ARGV  nonce, 1: it is there, who looked
-- Answers  OK
though_full()
redis.call('HSET', P .. 'vouch', (ARGV[2] == '1' and 'yes:' or 'no:') .. ARGV[1], ARGV[3])
redis.call('EXPIRE', P .. 'vouch', 60)
return {'OK'}
