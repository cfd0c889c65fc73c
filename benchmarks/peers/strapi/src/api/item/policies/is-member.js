module.exports = async ({ params, state }, _config, { strapi }) => {
  const filters = { documentId: params.id, store: { members: { id: state.user.id } } };
  return (await strapi.documents("api::item.item").count({ filters })) > 0;
};
