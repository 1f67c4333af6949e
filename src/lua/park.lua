-- Sets an item aside whose payload cannot be read; the bytes are kept.
--
-- ARGV  controller, epoch, id, attempt (0: any), why, mac ('': by the owner; else by anybody who saw this mac on the queued item and found it wrong)
-- Answers  OK (also when set aside before) | STATE letter | FENCED | NOTFOUND
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local v = load_whole(id)
if not v then return {'NOTFOUND'} end
if v[STATE] == 'U' then return {'OK'} end
if not member(controller, epoch) then return {'FENCED'} end
if v[STATE] == 'Q' and ARGV[6] ~= '' then
  if v[MAC] ~= ARGV[6] then return {'STATE', 'Q'} end
  unindex(id, v)
else
  if not holds(v, controller, epoch, ARGV[4]) or v[STATE] == 'O' then return {'FENCED'} end
  if v[STATE] ~= 'C' and v[STATE] ~= 'S' then return {'STATE', v[STATE]} end
  disown(id, v)
  unlist(id, v)
end
save(id, v, STATE, 'U', BLOCKED, '0', OWNER, '', EPOCH, '0', NUMBER, '0', WHY, ARGV[5])
event(id, v)
vacate(id, v)
return {'OK'}
