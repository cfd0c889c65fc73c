// Whoever is signed in may find items and change them; the policy of the route asks whether he is a member.
module.exports = {
  async bootstrap({ strapi }) {
    const role = await strapi.db.query("plugin::users-permissions.role").findOne({ where: { type: "authenticated" } });
    const permissions = strapi.db.query("plugin::users-permissions.permission");
    for (const name of ["find", "findOne", "update"]) {
      const data = { action: `api::item.item.${name}`, role: role.id };
      if (!(await permissions.findOne({ where: data }))) await permissions.create({ data });
    }
  },
};
