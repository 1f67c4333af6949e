-- A survivor goes on with the build of an orphaned item, such as a Pipeline: it fell to the survivor to decide on it, and nobody
-- else can have it.
--
-- ARGV  controller, epoch, id
-- Answers  OK (also when it has it already) | STATE letter (it has ended) | FENCED (another decides, or has decided, on it)
--          | NOTFOUND
-- Keeps: owner and epoch are the survivor's from then on, so that every call of the earlier owner is fenced; number, place, slot and
--        mark of a cancel stay. A placeholder is the survivor's now, since its old controller may never be back. Nothing becomes
--        claimable, so nobody is roused. Deaths in a row are counted by whoever knows whether the build came on meanwhile.
though_full()
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local me = controller .. ':' .. epoch
local v = load(id)
if not v then return {'NOTFOUND'} end
if not member(controller, epoch) then return {'FENCED'} end
if v[STATE] == 'R' and holds(v, controller, epoch, '0') then return {'OK'} end
if v[STATE] == 'D' then return {'STATE', 'D'} end
if v[STATE] ~= 'O' or v[REAPER] ~= me then return {'FENCED'} end
redis.call('HDEL', P .. 'orphan', id)
redis.call('SADD', P .. 'owned:' .. me, id)
if v[LANE] == STAYS then v[PINNED] = controller end
save(id, v, STATE, 'R', OWNER, controller, EPOCH, epoch, REAPER, '', WHY, 'Went on here: ' .. v[WHY])
event(id, v)
moment('adopted', controller, '', '0', '1', id)
return {'OK'}
