-- Makes a member the holder of a slot: one that takes over what a member that is gone had, or one to whom the holder gives it.
--
-- ARGV  controller, epoch, id of the slot, to whom
-- Answers  PASSED | KEPT (another member holds it, or the other is no member) | FENCED
though_full()
local controller, epoch, id, to = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not member(controller, epoch) then return {'FENCED'} end
local held = redis.call('HGET', P .. 'clouds', id)
if not held then return {'KEPT'} end
local c, e, rest = string.match(held, '^([^\n]*)\n(%d+)(\n.*)$')
if c ~= controller and member(c, e) then return {'KEPT'} end
local theirs = to == controller and epoch or redis.call('HGET', P .. 'member:' .. to, 'epoch')
if not theirs or not member(to, theirs) then return {'KEPT'} end
redis.call('HSET', P .. 'clouds', id, to .. '\n' .. theirs .. rest)
return {'PASSED'}
