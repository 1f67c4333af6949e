-- The owner hands an unstarted item back, or the reaper an orphaned one; it keeps its place.
--
-- ARGV  controller, epoch, id, attempt (0: any), delay ms, why, orphaned (1: by the reaper)
-- Keeps: an item at whose start one controller after the other dies is set aside for an admin to see.
-- Answers  OK (also when handed back before) | STATE letter | FENCED | NOTFOUND
though_full()
local MOST = 10
local controller, epoch, id = ARGV[1], ARGV[2], ARGV[3]
local me = controller .. ':' .. epoch
local v = load(id)
if not v then return {'NOTFOUND'} end
local mine = holds(v, controller, epoch, ARGV[4])
if v[LAST] == me and (not mine or v[STATE] == 'X') and v[REAPER] ~= me then return {'OK'} end
if not member(controller, epoch) then return {'FENCED'} end
if ARGV[7] == '1' then
  if v[STATE] ~= 'O' then return {'STATE', v[STATE]} end
  if v[REAPER] ~= me then return {'FENCED'} end
  redis.call('HDEL', P .. 'orphan', id)
  local deaths = int((tonumber(v[DEATHS]) or 0) + 1)
  if tonumber(deaths) > MOST and v[CANCEL] == '' then
    save(id, v, STATE, 'U', BLOCKED, '0', OWNER, '', EPOCH, '0', NUMBER, '0', REAPER, '', LAST, me, DEATHS, deaths,
      WHY, deaths .. ' controllers died one after the other as its build began: look into their logs before you trigger it again')
    event(id, v)
    vacate(id, v)
    return {'OK'}
  end
  -- Told with the state: one version, one change.
  v[DEATHS] = deaths
else
  if not mine or v[STATE] == 'O' then return {'FENCED'} end
  if v[STATE] ~= 'C' and v[STATE] ~= 'S' then return {'STATE', v[STATE]} end
  disown(id, v)
end
back(id, v, tonumber(ARGV[5]), ARGV[6], me)
return {'OK'}
