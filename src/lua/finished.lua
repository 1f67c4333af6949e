-- The build of an item has ended, for its owner or, once orphaned, for the reaper to say.
--
-- ARGV  controller, epoch, id, attempt (0: any), result
-- Answers  OK (also when it had ended before) | STATE letter | FENCED | NOTFOUND
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local me = controller .. ':' .. epoch
local v = load(id)
if not v then return {'NOTFOUND'} end
local mine = holds(v, controller, epoch, ARGV[4])
if v[STATE] == 'D' and (mine or v[LAST] == me) then return {'OK'} end
if not member(controller, epoch) then return {'FENCED'} end
if v[STATE] == 'O' and v[REAPER] == me then
  redis.call('HDEL', P .. 'orphan', id)
elseif not mine or v[STATE] == 'O' then
  return {'FENCED'}
elseif v[STATE] == 'S' or v[STATE] == 'R' then
  disown(id, v)
else
  return {'STATE', v[STATE]}
end
finish(id, v, 'D', RESULT, ARGV[5], LAST, me)
return {'OK'}
