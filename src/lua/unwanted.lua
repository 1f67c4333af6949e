-- Notes that somebody wants the build of an item ended: should its controller die, it is not run again.
--
-- ARGV  id, who
-- Answers  OK | STATE letter (it is not being built) | NOTFOUND
though_full()
local id, who = ARGV[1], ARGV[2]
local v = load(id)
if not v then return {'NOTFOUND'} end
if v[STATE] ~= 'S' and v[STATE] ~= 'R' and v[STATE] ~= 'O' then return {'STATE', v[STATE]} end
if v[CANCEL] == '' then
  save(id, v, CANCEL, who)
  event(id, v)
end
return {'OK'}
