-- Replaces the payload of an item that has not begun and, if it is queued and this is asked, its time.
--
-- ARGV  id, seen revision (-1: do not check; of a claimed item: its own), payload, mac, due in ms (-1: keep), controller, epoch,
--       1 if the caller has the claimed item in its hands and folds into that, too; else it is folded into only while it is queued,
--       why it was triggered, for people, format of the payload ('': 1)
-- Answers  OK revision | NEWER revision (packed, payload, mac)... (no longer queued, or some of the job's are newer than seen) | NOTFOUND | MENDING
-- Keeps: only who holds a claimed item folds into it, as he alone knows whether an executor has it; and only into the payload he read.
local id, due_in = ARGV[1], tonumber(ARGV[5])
if mending() then return {'MENDING'} end
local v = load_whole(id)
if not v then return {'NOTFOUND'} end
if (v[STATE] == 'Q' or v[STATE] == 'C') and v[MAC] == ARGV[4] then return {'OK', v[JOBREV]} end
if ARGV[8] == '1' and v[STATE] == 'C' and v[OWNER] == ARGV[6] and v[EPOCH] == ARGV[7] then
  if v[JOBREV] ~= ARGV[2] then return {'NEWER', v[JOBREV], pack(id, v), v[PAYLOAD], v[MAC]} end
  local rev = int(redis.call('INCR', P .. 'seq'))
  redis.call('ZADD', P .. 'queued:' .. v[JOB], rev, id)
  v[FORMAT] = ARGV[10] or ''
  save(id, v, JOBREV, rev)
  trace(id, '\tfold=' .. (ARGV[9] or ''))
  redis.call('HSET', P .. 'item:' .. id, 'payload', ARGV[3], 'mac', ARGV[4])
  event(id, v, true)
  return {'OK', rev}
end
if v[STATE] ~= 'Q' then return newer(v[JOB], tonumber(ARGV[2])) or {'NEWER', v[JOBREV]} end
local conflict = newer(v[JOB], tonumber(ARGV[2]))
if conflict then return conflict end
local rev, due, blocked = int(redis.call('INCR', P .. 'seq')), v[DUE], v[BLOCKED]
if due_in >= 0 then
  unindex(id, v)
  due, blocked = int(now + due_in), '0'
  if due_in > 0 then
    vacate(id, v)
    delay_until(id, due)
  else
    blocked = place(id, v)
  end
end
redis.call('ZADD', P .. 'queued:' .. v[JOB], rev, id)
v[FORMAT] = ARGV[10] or ''
save(id, v, JOBREV, rev, DUE, due, BLOCKED, blocked)
trace(id, '\tfold=' .. (ARGV[9] or ''))
redis.call('HSET', P .. 'item:' .. id, 'payload', ARGV[3], 'mac', ARGV[4])
event(id, v, true)
return {'OK', rev}
