-- Takes a slot for one more agent of a cloud, if fewer than its cap exist or are asked for in the cluster.
--
-- ARGV  controller, epoch, id of the slot, cloud, cap (0 for none)
-- Answers  TAKEN | FULL how many there are | FENCED
-- Keeps: a slot of a member that is gone counts until a survivor has ended its agent.
local controller, epoch, id, cloud, cap = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
if not member(controller, epoch) then return {'FENCED'} end
if redis.call('HEXISTS', P .. 'clouds', id) == 1 then return {'TAKEN'} end
if cap > 0 then
  local count = 0
  for _, slot in ipairs(redis.call('HVALS', P .. 'clouds')) do
    if string.match(slot, '^[^\n]*\n[^\n]*\n([^\n]*)') == cloud then count = count + 1 end
  end
  if count >= cap then return {'FULL', int(count)} end
end
redis.call('HSET', P .. 'clouds', id, controller .. '\n' .. epoch .. '\n' .. cloud .. '\n' .. int(now) .. '\n')
return {'TAKEN'}
