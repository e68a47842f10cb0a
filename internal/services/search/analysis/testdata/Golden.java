import java.io.*;
import java.util.*;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.*;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.charfilter.*;
import org.apache.lucene.analysis.cjk.*;
import org.apache.lucene.analysis.classic.*;
import org.apache.lucene.analysis.commongrams.*;
import org.apache.lucene.analysis.compound.DictionaryCompoundWordTokenFilter;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.StopFilter;
import org.apache.lucene.analysis.core.KeywordAnalyzer;
import org.apache.lucene.analysis.core.SimpleAnalyzer;
import org.apache.lucene.analysis.core.StopAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceAnalyzer;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.da.DanishAnalyzer;
import org.apache.lucene.analysis.de.GermanAnalyzer;
import org.apache.lucene.analysis.en.*;
import org.apache.lucene.analysis.es.SpanishAnalyzer;
import org.apache.lucene.analysis.fa.PersianAnalyzer;
import org.apache.lucene.analysis.fi.FinnishAnalyzer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.ga.IrishAnalyzer;
import org.apache.lucene.analysis.hi.HindiAnalyzer;
import org.apache.lucene.analysis.hu.HungarianAnalyzer;
import org.apache.lucene.analysis.it.ItalianAnalyzer;
import org.apache.lucene.analysis.ja.JapaneseAnalyzer;
import org.apache.lucene.analysis.miscellaneous.*;
import org.apache.lucene.analysis.ngram.*;
import org.apache.lucene.analysis.nl.DutchAnalyzer;
import org.apache.lucene.analysis.no.NorwegianAnalyzer;
import org.apache.lucene.analysis.path.*;
import org.apache.lucene.analysis.pattern.*;
import org.apache.lucene.analysis.pl.PolishAnalyzer;
import org.apache.lucene.analysis.pt.PortugueseAnalyzer;
import org.apache.lucene.analysis.reverse.ReverseStringFilter;
import org.apache.lucene.analysis.ro.RomanianAnalyzer;
import org.apache.lucene.analysis.ru.RussianAnalyzer;
import org.apache.lucene.analysis.shingle.ShingleFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.standard.*;
import org.apache.lucene.analysis.sv.SwedishAnalyzer;
import org.apache.lucene.analysis.synonym.*;
import org.apache.lucene.analysis.tokenattributes.*;
import org.apache.lucene.analysis.tr.*;
import org.apache.lucene.analysis.util.ElisionFilter;

/** Reads lines of "case TAB text" and writes "case TAB text TAB tokens" by Lucene. */
public class Golden {
  interface Filter { TokenStream on(TokenStream in) throws Exception; }

  static Analyzer of(java.util.function.Supplier<Tokenizer> t, Filter f) { return of(r -> r, t, f); }

  static Analyzer of(java.util.function.Function<Reader, Reader> chars, java.util.function.Supplier<Tokenizer> t, Filter f) {
    return new Analyzer() {
      protected Reader initReader(String field, Reader r) { return chars.apply(r); }
      protected TokenStreamComponents createComponents(String field) {
        Tokenizer source = t.get();
        try { return new TokenStreamComponents(source, f.on(source)); } catch (Exception e) { throw new RuntimeException(e); }
      }
    };
  }

  static Analyzer spaced(Filter f) { return of(WhitespaceTokenizer::new, f); }
  static CharArraySet set(String... words) { return new CharArraySet(Arrays.asList(words), false); }

  static TokenStream shingle(TokenStream in, int min, int max, boolean unigrams) {
    ShingleFilter f = new ShingleFilter(in, min, max);
    f.setOutputUnigrams(unigrams);
    return f;
  }

  static SynonymMap synonyms(boolean expand) throws Exception {
    SolrSynonymParser p = new SolrSynonymParser(true, expand, new WhitespaceAnalyzer());
    p.parse(new StringReader("quick,speedy,very fast\nlazy dog => sloth\nfoo => bar baz qux"));
    return p.build();
  }

  static final int WD = WordDelimiterFilter.GENERATE_WORD_PARTS | WordDelimiterFilter.GENERATE_NUMBER_PARTS
      | WordDelimiterFilter.SPLIT_ON_CASE_CHANGE | WordDelimiterFilter.SPLIT_ON_NUMERICS | WordDelimiterFilter.STEM_ENGLISH_POSSESSIVE;

  static Analyzer make(String name) throws Exception {
    switch (name) {
      case "ar.lucene": return new ArabicAnalyzer();
      case "da.lucene": return new DanishAnalyzer();
      case "de.lucene": return new GermanAnalyzer();
      case "en.lucene": return new EnglishAnalyzer();
      case "es.lucene": return new SpanishAnalyzer();
      case "fa.lucene": return new PersianAnalyzer();
      case "fi.lucene": return new FinnishAnalyzer();
      case "fr.lucene": return new FrenchAnalyzer();
      case "ga.lucene": return new IrishAnalyzer();
      case "hi.lucene": return new HindiAnalyzer();
      case "hu.lucene": return new HungarianAnalyzer();
      case "it.lucene": return new ItalianAnalyzer();
      case "ja.lucene": return new JapaneseAnalyzer();
      case "nl.lucene": return new DutchAnalyzer();
      case "no.lucene": return new NorwegianAnalyzer();
      case "pl.lucene": return new PolishAnalyzer();
      case "pt-PT.lucene": return new PortugueseAnalyzer();
      case "ro.lucene": return new RomanianAnalyzer();
      case "ru.lucene": return new RussianAnalyzer();
      case "sv.lucene": return new SwedishAnalyzer();
      case "tr.lucene": return new TurkishAnalyzer();
      case "zh-Hans.lucene": return new CJKAnalyzer();
      case "standard.lucene": return new StandardAnalyzer();
      case "standardasciifolding.lucene": return of(StandardTokenizer::new, in -> new ASCIIFoldingFilter(new LowerCaseFilter(in)));
      case "keyword": return new KeywordAnalyzer();
      case "pattern": return of(() -> new PatternTokenizer(Pattern.compile("\\W+"), -1), LowerCaseFilter::new);
      case "simple": return new SimpleAnalyzer();
      case "stop": return new StopAnalyzer(EnglishAnalyzer.ENGLISH_STOP_WORDS_SET);
      case "whitespace": return new WhitespaceAnalyzer();
      case "c_shingle": return spaced(in -> shingle(in, 2, 2, true));
      case "c_shingle3": return spaced(in -> shingle(in, 2, 3, true));
      case "c_shingle_only": return spaced(in -> shingle(in, 3, 3, false));
      case "c_stop_shingle": return spaced(in -> shingle(new StopFilter(in, set("quick", "over", "b", "c")), 2, 3, true));
      case "c_ngram": return spaced(in -> new NGramTokenFilter(in, 2, 3, false));
      case "c_edge": return spaced(in -> new EdgeNGramTokenFilter(in, 1, 3, false));
      case "c_wd": return spaced(in -> new WordDelimiterFilter(in, WD, null));
      case "c_wd_all": return spaced(in -> new WordDelimiterFilter(in, WD | WordDelimiterFilter.CATENATE_WORDS | WordDelimiterFilter.CATENATE_NUMBERS | WordDelimiterFilter.CATENATE_ALL, null));
      case "c_wd_nosplit": return spaced(in -> new WordDelimiterFilter(in, WordDelimiterFilter.GENERATE_WORD_PARTS | WordDelimiterFilter.CATENATE_WORDS, null));
      case "c_wd_orig": return spaced(in -> new WordDelimiterFilter(in, WD | WordDelimiterFilter.PRESERVE_ORIGINAL, set("Wi-Fi")));
      case "c_common": return spaced(in -> new CommonGramsFilter(in, set("the", "of", "over")));
      case "c_common_query": return spaced(in -> new CommonGramsQueryFilter(new CommonGramsFilter(in, set("the", "of", "over"))));
      case "c_decompound": return spaced(in -> new DictionaryCompoundWordTokenFilter(in, set("donau", "dampf", "schiff", "dampfschiff"), 5, 2, 15, false));
      case "c_decompound_longest": return spaced(in -> new DictionaryCompoundWordTokenFilter(in, set("donau", "dampf", "schiff", "dampfschiff"), 5, 2, 15, true));
      case "c_scand": return spaced(ScandinavianNormalizationFilter::new);
      case "c_scandfold": return spaced(ScandinavianFoldingFilter::new);
      case "c_fold_keep": return spaced(in -> new ASCIIFoldingFilter(in, true));
      case "c_keyword_repeat": return spaced(in -> new PorterStemFilter(new KeywordRepeatFilter(in)));
      case "c_classic": return of(ClassicTokenizer::new, ClassicFilter::new);
      case "c_classic_tok": return of(ClassicTokenizer::new, in -> in);
      case "c_capture": return spaced(in -> new PatternCaptureGroupTokenFilter(in, true, Pattern.compile("(\\p{Lu}?\\p{Ll}+)"), Pattern.compile("(\\d+)")));
      case "c_capture_only": return spaced(in -> new PatternCaptureGroupTokenFilter(in, false, Pattern.compile("(\\w)(\\w)")));
      case "c_cjk": return of(StandardTokenizer::new, in -> new CJKBigramFilter(in, CJKBigramFilter.HAN | CJKBigramFilter.HIRAGANA | CJKBigramFilter.KATAKANA | CJKBigramFilter.HANGUL, true));
      case "c_ngram_tok": return of(() -> new NGramTokenizer(1, 2) { protected boolean isTokenChar(int c) { return Character.isLetter(c); } }, in -> in);
      case "c_edge_tok": return of(() -> new EdgeNGramTokenizer(2, 4), in -> in);
      case "c_synonym": return spaced(in -> new SynonymFilter(in, synonyms(true), false));
      case "c_synonym_noexpand": return spaced(in -> new SynonymFilter(in, synonyms(false), false));
      case "c_reverse": return spaced(ReverseStringFilter::new);
      case "c_apostrophe": return spaced(ApostropheFilter::new);
      case "c_elision": return spaced(in -> new ElisionFilter(in, FrenchAnalyzer.DEFAULT_ARTICLES));
      case "c_truncate": return spaced(in -> new TruncateTokenFilter(in, 4));
      case "c_length": return spaced(in -> new LengthFilter(in, 3, 4));
      case "c_porter2": return spaced(in -> new SnowballFilter(in, "English"));
      case "c_override": {
        StemmerOverrideFilter.Builder b = new StemmerOverrideFilter.Builder(false);
        b.add("ran", "run");
        b.add("easily", "easily");
        StemmerOverrideFilter.StemmerOverrideMap m = b.build();
        return spaced(in -> new PorterStemFilter(new StemmerOverrideFilter(in, m)));
      }
      case "c_path": return of(() -> new PathHierarchyTokenizer(), in -> in);
      case "c_path_skip": return of(() -> new PathHierarchyTokenizer('/', '/', 1), in -> in);
      case "c_path_repl": return of(() -> new PathHierarchyTokenizer('/', ':'), in -> in);
      case "c_path_rev": return of(() -> new ReversePathHierarchyTokenizer('/', '/', 0), in -> in);
      case "c_path_rev_skip": return of(() -> new ReversePathHierarchyTokenizer('/', '/', 1), in -> in);
      case "c_html": return of(HTMLStripCharFilter::new, WhitespaceTokenizer::new, in -> in);
      case "c_map": {
        NormalizeCharMap.Builder b = new NormalizeCharMap.Builder();
        b.add("ph", "f"); b.add("ß", "ss"); b.add("ab", "xyz"); b.add("abc", ""); b.add("-", " ");
        NormalizeCharMap m = b.build();
        return of(r -> new MappingCharFilter(m, r), WhitespaceTokenizer::new, in -> in);
      }
      case "c_prc": return of(r -> new PatternReplaceCharFilter(Pattern.compile("(a)(b)"), "$2-$1", r), WhitespaceTokenizer::new, in -> in);
    }
    throw new IllegalArgumentException(name);
  }

  static String unescape(String s) { return s.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\"); }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    Map<String, Analyzer> made = new HashMap<>();
    for (String line; (line = in.readLine()) != null; ) {
      int tab = line.indexOf('\t');
      String name = line.substring(0, tab), text = unescape(line.substring(tab + 1));
      if (!made.containsKey(name)) made.put(name, make(name));
      StringBuilder b = new StringBuilder(line);
      int position = -1;
      try (TokenStream s = made.get(name).tokenStream("f", text)) {
        CharTermAttribute term = s.addAttribute(CharTermAttribute.class);
        OffsetAttribute offset = s.addAttribute(OffsetAttribute.class);
        PositionIncrementAttribute increment = s.addAttribute(PositionIncrementAttribute.class);
        s.reset();
        while (s.incrementToken()) {
          position += increment.getPositionIncrement();
          b.append('\t').append(term.toString().replace("\n", "\\n")).append('|').append(offset.startOffset()).append('|').append(offset.endOffset()).append('|').append(position);
        }
        s.end();
      }
      out.println(b);
    }
    out.flush();
  }
}
