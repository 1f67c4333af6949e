-- The next build number of a job; a claimed item that it is for becomes STARTING.
--
-- ARGV  controller, epoch, id (0: for no item), attempt (0: any), job, floor
-- Answers  OK number (the same again for the same item, unless the floor has reached it) | CANCELLED who | FENCED | NOTFOUND | MENDING
-- Keeps: no number is given twice; a build starts only under its owner's living membership.
though_full()
local controller, epoch, id, key = ARGV[1], ARGV[2], ARGV[3], P .. 'number:' .. ARGV[5]
if not member(controller, epoch) then return {'FENCED'} end
if mending() then return {'MENDING'} end
local v
if id ~= '0' then
  v = load(id)
  if not v then return {'NOTFOUND'} end
  if not holds(v, controller, epoch, ARGV[4]) then return {'FENCED'} end
  if (v[STATE] == 'S' or v[STATE] == 'R') and tonumber(v[NUMBER]) > tonumber(ARGV[6]) then
    return {'OK', v[NUMBER]}
  end
  if v[STATE] == 'C' and v[CANCEL] ~= '' then
    disown(id, v)
    finish(id, v, 'X', WHY, 'Cancelled by ' .. v[CANCEL])
  end
  if v[STATE] == 'X' then return {'CANCELLED', v[CANCEL]} end
  -- STARTING again: the number it had turned out to be used already.
  if v[STATE] ~= 'C' and v[STATE] ~= 'S' then return {'FENCED'} end
end
local number = int(math.max(tonumber(redis.call('GET', key) or 0), tonumber(ARGV[6])) + 1)
redis.call('SET', key, number)
if v then
  unlist(id, v)
  save(id, v, STATE, 'S', NUMBER, number)
  event(id, v)
end
return {'OK', number}
