-- Lists the settings of the cluster.
--
-- Answers  (path, head)...
return redis.call('HGETALL', P .. 'settings')
