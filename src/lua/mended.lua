-- A controller has said all it knows; the last to say so lets everybody go on.
--
-- ARGV  controller, then (job, highest number it was given)..., '', then (what was done once, what was noted, ms to remember it)...
-- Answers  OK
though_full()
local i = 2
while ARGV[i] ~= '' do
  local key = P .. 'number:' .. ARGV[i]
  if tonumber(redis.call('GET', key) or 0) < tonumber(ARGV[i + 1]) then redis.call('SET', key, ARGV[i + 1]) end
  i = i + 2
end
for j = i + 1, #ARGV, 3 do
  redis.call('SET', P .. 'turn:' .. ARGV[j], ARGV[j + 1], 'NX', 'PX', ARGV[j + 2])
end
if redis.call('SREM', P .. 'mending', ARGV[1]) == 1 and redis.call('EXISTS', P .. 'mending') == 0 then
  for _, waiting in ipairs(redis.call('ZRANGE', P .. 'waiting', 0, -1)) do
    rouse(waiting, ANY, 'a')
  end
end
return {'OK'}
