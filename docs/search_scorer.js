/* Sphinx's own scores of a search, but for the guide: among equals it comes before the reference. */
var Scorer = {
  score: ([page, title, anchor, description, score]) => score + (page.startsWith("guide/") ? 2 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
