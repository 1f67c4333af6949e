-- Lets one caller in the cluster do something, for as long as that is remembered.
--
-- ARGV  controller, epoch, what, remember ms, number of this call
-- Answers  FIRST (also when the same call is repeated) | DONE | FENCED | MENDING
local controller, epoch, key = ARGV[1], ARGV[2], P .. 'first:' .. ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
if mending() then return {'MENDING'} end
local call = controller .. ':' .. epoch .. ':' .. ARGV[5]
if redis.call('SET', key, call, 'NX', 'PX', ARGV[4]) or redis.call('GET', key) == call then return {'FIRST'} end
return {'DONE'}
