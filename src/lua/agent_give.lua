-- Gives an agent that a member owns to another member, which waits for it from now on, or to nobody.
--
-- ARGV  controller, epoch, agent, to whom ('' for nobody), the announcement: topic, number, body, stamp, mac
-- Answers  GIVEN | KEPT (it was not the caller's, or the other is no member) | FENCED
though_full()
local controller, epoch, agent, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not member(controller, epoch) then return {'FENCED'} end
local held = redis.call('HGET', P .. 'agents', agent)
local c, e = string.match(held or '', '^([^ ]*) (%d+) %d*$')
if c ~= controller or e ~= epoch then return {'KEPT'} end
if to == '' then
  redis.call('HDEL', P .. 'agents', agent)
else
  local theirs = redis.call('HGET', P .. 'member:' .. to, 'epoch')
  if not theirs or not member(to, theirs) then return {'KEPT'} end
  redis.call('HSET', P .. 'agents', agent, to .. ' ' .. theirs .. ' ' .. int(now))
end
tell('a', 'f', controller, 't', ARGV[5], 's', agent, 'x', ARGV[6], 'b', ARGV[7], 'p', ARGV[8], 'c', ARGV[9])
return {'GIVEN'}
