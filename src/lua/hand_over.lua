-- The owner of a running item, whose build it has let go of, gives it to another member: deciding on it falls to that one, which goes
-- on with the build (adopt). Should the taker die before it has, it falls to the next, as with any orphan.
--
-- ARGV  controller, epoch, id, version of the item that the caller knows, controller that is to take it (the caller itself: nobody
--       is, after all)
-- Answers  OK (also when it was given away before) | CHANGED (the caller knows an older version) | ABSENT (the taker is no member)
--          | STATE letter | FENCED | NOTFOUND
-- Keeps: a call that comes late changes nothing, since each step to another owner, or back, is a new version; owner and epoch stay those of the
--        giver until the taker's adopt, so that whoever dies in between leaves an orphan as any other.
though_full()
local controller, epoch, id, taker = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local v = load(id)
if not v then return {'NOTFOUND'} end
if not member(controller, epoch) or not holds(v, controller, epoch, '0') then return {'FENCED'} end
if v[STATE] == 'O' then return {'OK'} end
if v[STATE] ~= 'R' then return {'STATE', v[STATE]} end
if v[VERSION] ~= ARGV[4] then return {'CHANGED'} end
if taker == controller then
  save(id, v)
  event(id, v)
  return {'OK'}
end
local theirs = redis.call('HMGET', P .. 'member:' .. taker, 'epoch')[1]
if not theirs or not member(taker, theirs) then return {'ABSENT'} end
local reaper = taker .. ':' .. theirs
disown(id, v)
redis.call('HSET', P .. 'orphan', id, reaper)
save(id, v, STATE, 'O', REAPER, reaper, WHY, 'Handed over')
event(id, v)
moment('handed-over', controller, taker, '0', '1', id)
return {'OK'}
