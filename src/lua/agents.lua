-- Lists who has which agent; what a member that is gone had is forgotten.
--
-- Answers  (agent, controller, epoch)...
local answer = {}
local agents = redis.call('HGETALL', P .. 'agents')
for i = 1, #agents, 2 do
  local c, e = string.match(agents[i + 1], '^([^ ]*) (%d+) ')
  if c and member(c, e) then
    for _, value in ipairs({agents[i], c, e}) do
      answer[#answer + 1] = value
    end
  else
    redis.call('HDEL', P .. 'agents', agents[i])
  end
end
return answer
