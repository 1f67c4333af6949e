-- Which items Redis lacks, or has in an older version than a controller remembers.
--
-- ARGV  controller, then (id, version, 1: the controller runs it)...
-- Answers  id...
local answer = {}
for i = 2, #ARGV, 3 do
  local there = load(ARGV[i])
  if not there or tonumber(there[VERSION]) < tonumber(ARGV[i + 1])
    or ARGV[i + 2] == '1' and there[STATE] == 'O' and there[OWNER] == ARGV[1] and there[REAPER] == '' then
    answer[#answer + 1] = ARGV[i]
  end
end
return answer
