-- Lists the members.
--
-- Answers  (controller, epoch, name, url, version, ms left of the lease)...
local answer = {}
local members = redis.call('ZRANGE', P .. 'members', 0, -1, 'WITHSCORES')
for i = 1, #members, 2 do
  local controller, epoch = string.match(members[i], '^([^:]*):(.*)$')
  if controller then
    local m = redis.call('HMGET', P .. 'member:' .. controller, 'name', 'url', 'version')
    for _, value in ipairs({controller, epoch, m[1] or '', m[2] or '', m[3] or '', int(members[i + 1] - now)}) do
      answer[#answer + 1] = value
    end
  end
end
return answer
