-- Which items Redis lacks, or has in an older version than a controller remembers.
--
-- ARGV  controller, then (id, version, 1: the controller runs it)...
-- Answers  id...
local answer = {}
for i = 2, #ARGV, 3 do
  local there = redis.call('HMGET', P .. 'item:' .. ARGV[i], 'version', 'state', 'owner', 'reaper')
  if not there[1] or tonumber(there[1]) < tonumber(ARGV[i + 1])
    or ARGV[i + 2] == '1' and there[2] == 'O' and there[3] == ARGV[1] and (there[4] or '') == '' then
    answer[#answer + 1] = ARGV[i]
  end
end
return answer
