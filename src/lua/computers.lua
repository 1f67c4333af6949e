-- Lists what the members say of their executors; what one said that is gone is forgotten.
--
-- Answers  (controller, epoch, sealed text)...
local answer = {}
local told = redis.call('HGETALL', P .. 'computers')
for i = 1, #told, 2 do
  local e, text = string.match(told[i + 1], '^(%d+) (.*)$')
  if e and member(told[i], e) then
    for _, value in ipairs({told[i], e, text}) do
      answer[#answer + 1] = value
    end
  else
    redis.call('HDEL', P .. 'computers', told[i])
  end
end
return answer
