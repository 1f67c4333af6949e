-- Cancels an item wherever it is. A claimed one is only marked: its owner is to be asked, and cannot start or return it any more.
--
-- ARGV  id, who
-- Answers  CANCELLED | ASKED owner | TOOLATE | UNKNOWN | MENDING
though_full()
local id, who = ARGV[1], ARGV[2]
if mending() then return {'MENDING'} end
local v = load(id)
if not v then return {'UNKNOWN'} end
local state = v[STATE]
if state == 'Q' or state == 'U' then
  if state == 'Q' then unindex(id, v) end
  finish(id, v, 'X', WHY, 'Cancelled by ' .. who)
  return {'CANCELLED'}
elseif state == 'C' then
  if v[CANCEL] == '' then
    save(id, v, CANCEL, who, WHY, who .. ' wants it cancelled')
    event(id, v)
  end
  return {'ASKED', v[OWNER]}
elseif state == 'X' then
  return {'CANCELLED'}
end
return {'TOOLATE'}
