-- A claimed item ends unbuilt, by its owner.
--
-- ARGV  controller, epoch, id, attempt (0: any), why
-- Answers  OK (also when it is cancelled already) | STATE letter | FENCED | NOTFOUND
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local v = load(id)
if not v then return {'NOTFOUND'} end
if v[STATE] == 'X' then return {'OK'} end
if not member(controller, epoch) or not holds(v, controller, epoch, ARGV[4]) or v[STATE] == 'O' then
  return {'FENCED'}
end
if v[STATE] ~= 'C' and v[STATE] ~= 'S' then return {'STATE', v[STATE]} end
disown(id, v)
finish(id, v, 'X', WHY, ARGV[5])
return {'OK'}
