-- The reaper of an orphan hands it on to the next member, in a circle: it cannot decide on it, the other perhaps can.
--
-- ARGV  controller, epoch, id
-- Answers  OK controller | ALONE (there is no other member) | STATE letter | FENCED | NOTFOUND
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local me = controller .. ':' .. epoch
if not member(controller, epoch) then return {'FENCED'} end
local v = load(id)
if not v then return {'NOTFOUND'} end
if v[STATE] ~= 'O' then return {'STATE', v[STATE]} end
if v[REAPER] ~= me then return {'FENCED'} end
local members = redis.call('ZRANGE', P .. 'members', 0, -1)
table.sort(members)
local other = members[1]
for i = #members, 1, -1 do
  if members[i] > me then other = members[i] end
end
if other == me then return {'ALONE'} end
redis.call('HSET', P .. 'orphan', id, other)
save(id, v, REAPER, other)
event(id, v)
return {'OK', string.match(other, '^[^:]*')}
