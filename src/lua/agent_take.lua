-- Makes a member the owner of an agent, unless another member is.
--
-- ARGV  controller, epoch, agent, how long an agent that was given to a member is kept for it, ms, the announcement: topic, number,
--       body, stamp, mac
-- Answers  OURS | HELD controller epoch (a member has it, or waits for it) | FENCED
-- Keeps: agents:<agent> names one member; who is no member any more owns nothing.
though_full()
local controller, epoch, agent = ARGV[1], ARGV[2], ARGV[3]
if not member(controller, epoch) then return {'FENCED'} end
local held = redis.call('HGET', P .. 'agents', agent)
if held then
  local c, e, since = string.match(held, '^([^ ]*) (%d+) (%d*)$')
  local ours = c == controller and e == epoch
  if ours and since == '' then return {'OURS'} end
  local waits = since ~= '' and now - since > tonumber(ARGV[4])
  if not ours and member(c, e) and not waits then return {'HELD', c, e} end
end
redis.call('HSET', P .. 'agents', agent, controller .. ' ' .. epoch .. ' ')
tell('a', 'f', controller, 't', ARGV[5], 's', agent, 'x', ARGV[6], 'b', ARGV[7], 'p', ARGV[8], 'c', ARGV[9])
return {'OURS'}
