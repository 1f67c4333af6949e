-- Jobs have been renamed or moved, or deleted: what is kept under their old names follows.
--
-- ARGV  how many jobs, old name and new name of each ('': deleted), then id, payload and seal of items, made for the new name
-- Answers  OK items moved | MENDING
-- Keeps: each item stays in the same place of the queue and in the same hands; no number of a job is given again under its new name.
if mending() then return {'MENDING'} end
local jobs, names = tonumber(ARGV[1]), {}
for i = 1, jobs do
  local old, new = ARGV[2 * i], ARGV[2 * i + 1]
  local last = redis.call('GET', P .. 'number:' .. old)
  if last and new ~= '' then
    local key = P .. 'number:' .. new
    redis.call('SET', key, int(math.max(tonumber(redis.call('GET', key) or 0), tonumber(last))))
  end
  redis.call('DEL', P .. 'number:' .. old)
  names[old] = new
end
local moved = 0
for i = 2 * jobs + 2, #ARGV, 3 do
  local id = ARGV[i]
  local v = load(id)
  local new = v and names[v[JOB]]
  if new and new ~= '' and redis.call('ZSCORE', P .. 'live', id) then
    local old = v[JOB]
    if v[STATE] == 'Q' then
      redis.call('ZREM', P .. 'queued:' .. old, id)
      redis.call('ZADD', P .. 'queued:' .. new, v[JOBREV], id)
    end
    if redis.call('ZREM', P .. 'parked:' .. old, id) == 1 then
      redis.call('ZADD', P .. 'parked:' .. new, v[SCORE], id)
    end
    if redis.call('GET', P .. 'slot:' .. old) == id then
      redis.call('DEL', P .. 'slot:' .. old)
      redis.call('SET', P .. 'slot:' .. new, id)
    end
    redis.call('HSET', P .. 'item:' .. id, 'payload', ARGV[i + 1], 'mac', ARGV[i + 2])
    save(id, v, JOB, new)
    event(id, v, v[STATE] == 'Q')
    moved = moved + 1
  end
end
return {'OK', int(moved)}
