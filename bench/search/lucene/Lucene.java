import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.ja.JapaneseAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.QueryBuilder;

/**
 * Indexes and searches with Apache Lucene what the benchmark sends, a line each, fields
 * apart by tabs: "d ID TEXT" is a document, "q TEXT" a query, "i" indexes and replies
 * the nanoseconds. "r K" makes all queries for their first K and replies a line for
 * each: its nanoseconds and the ids of what it found.
 */
public final class Lucene {
  private static final String TEXT = "text";

  public static void main(String[] args) throws Exception {
    Analyzer analyzer = args[0].equals("ja") ? new JapaneseAnalyzer() : new EnglishAnalyzer();
    FSDirectory directory = FSDirectory.open(Path.of(args[1]));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    List<String[]> documents = new ArrayList<>();
    List<String> queries = new ArrayList<>();
    IndexSearcher searcher = null;
    for (String line; (line = in.readLine()) != null; ) {
      String[] fields = line.split("\t", -1);
      switch (fields[0]) {
        case "d" -> documents.add(fields);
        case "q" -> queries.add(fields[1]);
        case "i" -> {
          out.println(index(directory, analyzer, documents));
          searcher = new IndexSearcher(DirectoryReader.open(directory));
          searcher.setSimilarity(new BM25Similarity());
          searcher.setQueryCache(null); // every query is a new one
        }
        case "r" -> search(searcher, new QueryBuilder(analyzer), queries, Integer.parseInt(fields[1]), out);
        default -> throw new IllegalArgumentException(line);
      }
      out.flush();
    }
  }

  private static long index(FSDirectory directory, Analyzer analyzer, List<String[]> documents) throws Exception {
    long begun = System.nanoTime();
    IndexWriterConfig config = new IndexWriterConfig(analyzer).setSimilarity(new BM25Similarity());
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      for (String[] fields : documents) {
        Document d = new Document();
        d.add(new StringField("id", fields[1], Field.Store.YES));
        d.add(new TextField(TEXT, fields[2], Field.Store.NO));
        writer.addDocument(d);
      }
    }
    return System.nanoTime() - begun;
  }

  private static void search(IndexSearcher searcher, QueryBuilder builder, List<String> queries, int k, PrintStream out)
      throws Exception {
    StoredFields stored = searcher.storedFields();
    for (String text : queries) {
      long begun = System.nanoTime();
      Query query = builder.createBooleanQuery(TEXT, text);
      ScoreDoc[] found = query == null ? new ScoreDoc[0] : searcher.search(query, k).scoreDocs;
      long took = System.nanoTime() - begun;
      StringBuilder line = new StringBuilder().append(took);
      for (ScoreDoc hit : found) {
        line.append('\t').append(stored.document(hit.doc).get("id"));
      }
      out.println(line);
    }
  }
}
