-- The build of an orphaned item has ended with its controller, as its reaper says, and runs again as a new item.
--
-- ARGV  controller, epoch, id, result, new id, payload, mac, how often at the most (the item counts the deaths), -1 where its
--       controller did not die but was stopped: this is not counted; format of the payload ('': 1)
-- Answers  OK new id (also when repeated, then of the first call; 0: it is not run again, the item says why)
--          | STATE letter | FENCED | NOTFOUND | TAKEN
-- Keeps: the old item ends and the new one comes in one step, so nobody can lose or double the build in between;
--        the new one has the old one's place in the queue; what somebody wanted ended is not run again.
though_full()
local controller, epoch, id, new, most = ARGV[1], ARGV[2], ARGV[3], ARGV[5], tonumber(ARGV[8])
local me = controller .. ':' .. epoch
local v = load(id)
if not v then return {'NOTFOUND'} end
if v[STATE] == 'D' and v[LAST] == me then return {'OK', v[AGAIN] ~= '' and v[AGAIN] or '0'} end
if not member(controller, epoch) then return {'FENCED'} end
if v[STATE] ~= 'O' then return v[STATE] == 'D' and {'FENCED'} or {'STATE', v[STATE]} end
if v[REAPER] ~= me then return {'FENCED'} end
local deaths = (tonumber(v[DEATHS]) or 0) + (most < 0 and 0 or 1)
local why
if v[CANCEL] ~= '' then
  why = v[CANCEL] .. ' wanted it ended, so it is not run again'
elseif most >= 0 and deaths > most then
  why = 'Not run again: controllers died ' .. deaths .. ' times in a row while they ran it'
elseif redis.call('EXISTS', P .. 'item:' .. new) == 1 then
  return {'TAKEN'}
end
redis.call('HDEL', P .. 'orphan', id)
if why then
  finish(id, v, 'D', RESULT, ARGV[4], LAST, me, DEATHS, int(deaths), WHY, why)
  return {'OK', '0'}
end
finish(id, v, 'D', RESULT, ARGV[4], LAST, me, DEATHS, int(deaths), AGAIN, new)
local seq = int(redis.call('INCR', P .. 'seq'))
-- What it was when it was accepted stays; what happened to the old one is not its own.
local n = {}
for part = 1, MORE do n[part] = v[part] end
n[STATE], n[VERSION], n[JOBREV], n[ENQUEUED], n[DUE], n[BLOCKED] = 'Q', '1', seq, int(now), int(now), '0'
n[ORIGIN], n[OWNER], n[EPOCH], n[ATTEMPTS], n[NUMBER] = controller, '', '0', '0', '0'
n[RESULT], n[REAPER], n[DEATHS], n[AGAIN], n[CANCEL], n[LAST] = '', '', int(deaths), '', '', ''
n[WHY] = 'Runs again what was #' .. v[NUMBER] .. ': ' .. v[WHY]
n[FORMAT], n[PAYLOAD], n[MAC] = ARGV[9] or '', ARGV[6], ARGV[7]
redis.call('ZADD', P .. 'live', seq, new)
redis.call('ZADD', P .. 'queued:' .. v[JOB], seq, new)
n[BLOCKED] = place(new, n)
store(new, n)
trace(new, '\t' .. JOB .. '=' .. n[JOB] .. '\t' .. STATE .. '=Q\t' .. LANE .. '=' .. n[LANE] .. '\t' .. ORIGIN .. '=' .. controller
  .. (n[BLOCKED] == '1' and '\t' .. BLOCKED .. '=1' or '') .. '\tof=' .. id .. '\t' .. WHY .. '=' .. plain(n[WHY]))
event(new, n, true)
moment('reran', controller, '', '0', '1', id .. ' ' .. new)
return {'OK', new}
