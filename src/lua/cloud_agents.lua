-- Lists the agents of clouds that exist or are asked for in the cluster.
--
-- Answers  (id of the slot, '1' when its holder is a member or '0', controller, epoch, cloud, since, agent)...
local answer = {}
local slots = redis.call('HGETALL', P .. 'clouds')
for i = 1, #slots, 2 do
  local c, e, cloud, since, agent = string.match(slots[i + 1], '^([^\n]*)\n(%d+)\n([^\n]*)\n(%d+)\n(.*)$')
  if c then
    for _, value in ipairs({slots[i], member(c, e) and '1' or '0', c, e, cloud, since, agent}) do
      answer[#answer + 1] = value
    end
  end
end
return answer
