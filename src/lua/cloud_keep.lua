-- Says which agent has a slot; puts back a slot that Redis lost.
--
-- ARGV  controller, epoch, id of the slot, cloud, agent, sealed text of the agent
-- Answers  KEPT | ENDED (a survivor has ended the agent) | HELD (it is another member's) | FENCED
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
local held = redis.call('HGET', P .. 'clouds', id)
local since = int(now)
if held then
  local c, began = string.match(held, '^([^\n]*)\n%d+\n[^\n]*\n(%d+)')
  if c ~= controller then return {'HELD'} end
  since = began
elseif redis.call('EXISTS', P .. 'cloud-ended:' .. id) == 1 then
  return {'ENDED'}
end
redis.call('HSET', P .. 'clouds', id, controller .. '\n' .. epoch .. '\n' .. ARGV[4] .. '\n' .. since .. '\n' .. ARGV[5])
redis.call('HSET', P .. 'clouds-text', id, ARGV[6])
return {'KEPT'}
