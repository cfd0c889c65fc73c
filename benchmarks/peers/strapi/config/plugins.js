// Sessions, as new projects have them, and no limit of ten logins a minute, which would be all that is measured.
module.exports = () => ({
  "users-permissions": { config: { jwtManagement: "refresh", ratelimit: { enabled: false } } },
});
