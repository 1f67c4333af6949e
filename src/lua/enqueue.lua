-- Stores a new item.
--
-- ARGV  id, job, lane, priority, quiet ms, concurrent (0/1), pinned, origin, payload, mac, seen revision (-1: do not check),
--       why it was triggered, for people, format of the payload ('': 1)
-- Answers  OK revision (also when the same item is there already) | NEWER revision (packed, payload, mac)... | TAKEN | FENCED
--          (a placeholder of a controller that is no member) | GONE (Redis was wiped)
local id, job, lane, priority, quiet = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local there = load(id)
if there then
  if there[JOB] == job and there[ORIGIN] == ARGV[8] then return {'OK', there[JOBREV]} end
  return {'TAKEN'}
end
if lane == STAYS and redis.call('EXISTS', P .. 'member:' .. ARGV[7]) == 0 then return {'FENCED'} end
local conflict = newer(job, tonumber(ARGV[11]))
if conflict then return conflict end
local seq = int(redis.call('INCR', P .. 'seq'))
if seq == '1' and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', P .. 'seq')
  return {'GONE'}
end
local due = int(now + quiet)
local v = {job, 'Q', '1', seq, lane, priority, int(now), due, '0', ARGV[6], ARGV[7], ARGV[8], '', '0', '0', '0', '', '', '',
  '', '', int(priority * 4398046511104 + seq), '', '', ARGV[9], ARGV[10], ARGV[13] or ''}
redis.call('ZADD', P .. 'live', seq, id)
redis.call('ZADD', P .. 'queued:' .. job, seq, id)
if quiet > 0 then
  delay_until(id, due)
else
  v[BLOCKED] = place(id, v)
end
store(id, v)
trace(id, '\t' .. JOB .. '=' .. job .. '\t' .. STATE .. '=Q\t' .. LANE .. '=' .. lane .. '\t' .. ORIGIN .. '=' .. v[ORIGIN]
  .. (quiet > 0 and '\t' .. DUE .. '=' .. due or '') .. (v[BLOCKED] == '1' and '\t' .. BLOCKED .. '=1' or '')
  .. (v[PINNED] ~= '' and '\t' .. PINNED .. '=' .. v[PINNED] or '') .. '\tnote=' .. (ARGV[12] or ''))
event(id, v, true)
return {'OK', seq}
