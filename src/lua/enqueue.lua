-- Stores a new item.
--
-- ARGV  id, the item's text as it is before it is stored (src/item.rs), quiet ms, payload, mac, seen revision (-1: do not check),
--       why it was triggered, for people
-- Answers  OK revision (also when the same item is there already) | NEWER revision (packed, payload, mac)... | TAKEN | FENCED
--          (a placeholder of a controller that is no member) | GONE (Redis was wiped)
local id, v, quiet = ARGV[1], parts_of(ARGV[2]), tonumber(ARGV[3])
local there = load(id)
if there then
  if there[JOB] == v[JOB] and there[ORIGIN] == v[ORIGIN] then return {'OK', there[JOBREV]} end
  return {'TAKEN'}
end
if v[LANE] == STAYS and redis.call('EXISTS', P .. 'member:' .. v[PINNED]) == 0 then return {'FENCED'} end
local conflict = newer(v[JOB], tonumber(ARGV[6]))
if conflict then return conflict end
local seq = int(redis.call('INCR', P .. 'seq'))
if seq == '1' and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', P .. 'seq')
  return {'GONE'}
end
v[JOBREV], v[ENQUEUED], v[DUE] = seq, int(now), int(now + quiet)
v[SCORE] = int(v[PRIORITY] * 4398046511104 + seq)
v[PAYLOAD], v[MAC] = ARGV[4], ARGV[5]
redis.call('ZADD', P .. 'live', seq, id)
redis.call('ZADD', P .. 'queued:' .. v[JOB], seq, id)
if quiet > 0 then
  delay_until(id, v[DUE])
else
  v[BLOCKED] = place(id, v)
end
store(id, v)
trace(id, '\t' .. JOB .. '=' .. v[JOB] .. '\t' .. STATE .. '=Q\t' .. LANE .. '=' .. v[LANE] .. '\t' .. ORIGIN .. '=' .. v[ORIGIN]
  .. (quiet > 0 and '\t' .. DUE .. '=' .. v[DUE] or '') .. (v[BLOCKED] == '1' and '\t' .. BLOCKED .. '=1' or '')
  .. (v[PINNED] ~= '' and '\t' .. PINNED .. '=' .. v[PINNED] or '') .. '\tnote=' .. (ARGV[7] or ''))
event(id, v, true)
return {'OK', seq}
