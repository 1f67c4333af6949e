-- The build of a STARTING item runs.
--
-- ARGV  controller, epoch, id, attempt (0: any), number
-- Answers  OK (also when it runs already) | STATE letter | FENCED | NOTFOUND
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local v = load(id)
if not v then return {'NOTFOUND'} end
if not member(controller, epoch) or not holds(v, controller, epoch, ARGV[4]) then return {'FENCED'} end
if v[STATE] == 'O' then return {'FENCED'} end
if (v[STATE] == 'S' or v[STATE] == 'R') and v[NUMBER] == ARGV[5] then
  if v[STATE] == 'S' then
    save(id, v, STATE, 'R')
    event(id, v)
  end
  return {'OK'}
end
return {'STATE', v[STATE]}
