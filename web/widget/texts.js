// What the widget and the page's script say, in each language that they speak.

const TEXTS = {
  en: {
    search: "Search the articles",
    open: "Search",
    close: "Close",
    again: "Try again",
    all: "All results ({n})",
    found: "Results: {n}. Choose with the arrow keys.",
    none: "Nothing found for “{q}”.",
    slow: "Still searching…",
    busy: "Search is busy. It is asked again in {n} s.",
    away: "Search cannot be reached at the moment.",
    failed: "Search failed. The fault is not yours.",
    corrected: "Corrected",
    retracted: "Retracted",
  },
  de: {
    search: "Artikel durchsuchen",
    open: "Suchen",
    close: "Schließen",
    again: "Noch einmal versuchen",
    all: "Alle Treffer ({n})",
    found: "Treffer: {n}. Mit den Pfeiltasten wählen.",
    none: "Nichts gefunden für „{q}“.",
    slow: "Die Suche läuft noch …",
    busy: "Die Suche ist ausgelastet. In {n} s wird sie erneut gefragt.",
    away: "Die Suche ist gerade nicht erreichbar.",
    failed: "Die Suche ist fehlgeschlagen. Es liegt nicht an Ihnen.",
    corrected: "Berichtigt",
    retracted: "Zurückgezogen",
  },
  fr: {
    search: "Rechercher dans les articles",
    open: "Rechercher",
    close: "Fermer",
    again: "Réessayer",
    all: "Tous les résultats ({n})",
    found: "Résultats : {n}. Choisissez avec les touches fléchées.",
    none: "Rien trouvé pour « {q} ».",
    slow: "Recherche en cours…",
    busy: "La recherche est surchargée. Nouvel essai dans {n} s.",
    away: "La recherche est injoignable pour le moment.",
    failed: "La recherche a échoué. Ce n’est pas de votre fait.",
    corrected: "Corrigé",
    retracted: "Rétracté",
  },
  es: {
    search: "Buscar en los artículos",
    open: "Buscar",
    close: "Cerrar",
    again: "Reintentar",
    all: "Todos los resultados ({n})",
    found: "Resultados: {n}. Elija con las teclas de flecha.",
    none: "No se ha encontrado nada para «{q}».",
    slow: "Buscando todavía…",
    busy: "La búsqueda está saturada. Se reintenta en {n} s.",
    away: "No se puede acceder a la búsqueda en este momento.",
    failed: "La búsqueda ha fallado. No es culpa suya.",
    corrected: "Corregido",
    retracted: "Retractado",
  },
  ar: {
    search: "ابحث في المقالات",
    open: "بحث",
    close: "إغلاق",
    again: "أعد المحاولة",
    all: "كل النتائج ({n})",
    found: "النتائج: {n}. اختر بمفاتيح الأسهم.",
    none: "لا نتائج عن «{q}».",
    slow: "ما زال البحث جاريًا…",
    busy: "البحث مشغول. تُعاد المحاولة بعد {n} ث.",
    away: "يتعذّر الوصول إلى البحث حاليًا.",
    failed: "فشل البحث. ليس الخطأ منك.",
    corrected: "مُصحَّح",
    retracted: "مسحوب",
  },
};
const FROM_THE_RIGHT = ["ar"];

// The texts for a language tag such as de-AT, with its direction; English where it is not spoken.
export function texts(tag) {
  const [spoken] = tag.toLowerCase().split("-");
  const language = spoken in TEXTS ? spoken : "en";
  const number = new Intl.NumberFormat(language === spoken ? tag : language);
  return {
    ...TEXTS[language],
    language,
    direction: FROM_THE_RIGHT.includes(language) ? "rtl" : "ltr",
    fill: (text, { n = 0, q = "" }) => text.replace("{n}", number.format(n)).replace("{q}", () => q),
    day: (timeZone) => new Intl.DateTimeFormat(language === spoken ? tag : language, { dateStyle: "medium", timeZone }),
  };
}
