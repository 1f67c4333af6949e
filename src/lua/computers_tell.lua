-- Replaces what a member says of its executors.
--
-- ARGV  controller, epoch, sealed text
-- Answers  TOLD | FENCED
though_full()
if not member(ARGV[1], ARGV[2]) then return {'FENCED'} end
redis.call('HSET', P .. 'computers', ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return {'TOLD'}
